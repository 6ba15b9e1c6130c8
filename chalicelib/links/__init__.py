"""The links themselves: the truth that everything else follows."""
