"""Expectation beside experience: gaps, zones of tolerance, Kano's classes, whatever compares forms of one attribute."""
