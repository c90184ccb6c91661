"""Many endpoints: a file that names them, which are due, each judged and kept in the store, on one machine or many."""
