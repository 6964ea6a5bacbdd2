"""The registers of a fund's methods: how it replicates, what flows in and out, what limits it."""

from exchina.plugins import Register

replication = Register("replication method", "exchina.fund.replication")
flows = Register("flow model", "exchina.fund.flows")
limits = Register("fund limit", "exchina.fund.limits")
