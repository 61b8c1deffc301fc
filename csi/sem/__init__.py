"""Covariance-based estimation over a stack of moments; lavaan's meanings and numbers."""
