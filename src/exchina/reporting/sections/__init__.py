"""reporting/sections."""
