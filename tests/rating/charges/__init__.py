"""Tests of the charge half of rating."""
