"""Steps on calls that arrive at the IVR: what newCall reports of them, and what its answer does with them."""
