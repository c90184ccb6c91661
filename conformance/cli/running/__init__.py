"""How the command line carries a run out: as one process, as several, or beside another run."""
