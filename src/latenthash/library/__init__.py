"""What the public names do: hash and compare pictures, match them with the hash of one."""
