"""Measures of bias: arrays in, numbers out. Rows are taken in float64; a measure says itself whether lengths count."""
