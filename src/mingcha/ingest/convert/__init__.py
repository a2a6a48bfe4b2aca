"""Values of a source into values of the contract's types, as SQL over whole columns."""
