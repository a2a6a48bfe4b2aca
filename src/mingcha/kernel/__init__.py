"""Values everything else is built from: money, energy, periods, identifiers, errors. No input or output."""
