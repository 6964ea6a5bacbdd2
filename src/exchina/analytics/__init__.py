"""What an index did: performance, and how its constituents moved on policy-shock dates. Pure: tables in, tables out."""
