"""Documents to print and to file, over fpdf2."""
