"""The whole of Linkly on this machine, and what its developers keep up to date."""
