"""Podium's scoring core.  (theory of operation: written last)"""
