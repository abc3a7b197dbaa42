"""A folder with the codes of many pictures: adding to it, and finding one among them."""
