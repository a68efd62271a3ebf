"""From the bytes of a delimited file, packed or not, to columns of numbers: what every data set is read with."""
