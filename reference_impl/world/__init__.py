"""The world file: who there is, what they may, and which orders stand at the start."""
