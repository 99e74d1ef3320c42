"""Question forms and rendered answers, shared by the admin's and the dashboard's pages."""
