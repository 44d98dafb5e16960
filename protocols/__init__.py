"""Shipped studies as data: a folder for each, with its protocol, materials and data, and no code."""
