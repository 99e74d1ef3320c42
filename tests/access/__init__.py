"""Who gets an answer at which address: the access matrix, from the URL configuration itself."""
