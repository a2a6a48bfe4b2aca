"""The calculators, one file each: what it asks for, how it computes, what it does not cover."""
