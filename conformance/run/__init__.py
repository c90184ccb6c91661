"""A run from start to end: sessions, states, lanes, pace; cases carried out side by side."""
