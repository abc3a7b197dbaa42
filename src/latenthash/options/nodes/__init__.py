"""What the classes that a run is built of take: one node each, called as the class is."""
