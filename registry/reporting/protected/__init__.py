"""From plans to shown nodes: what is told to everybody who may not see true numbers."""
