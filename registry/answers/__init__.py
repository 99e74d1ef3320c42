"""How questions are put and answers read: what the admin's and the dashboard's pages share."""
