"""A questionnaire held against its answers: every measure of an instrument in one value, and what to change."""
