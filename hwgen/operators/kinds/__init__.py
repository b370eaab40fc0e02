"""One module per operator kind; the module's name is the kind's, and its `KIND` is the record."""
