"""Linkly: short links whose click counts are exact."""
