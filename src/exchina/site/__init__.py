"""What subscribers see: the public folder, its feed and its calendar, all derived from the ledger and the schedule."""
