"""Fairness of items: whether people of equal standing answer alike in all groups."""
