CREATE INDEX nextgen_events_by_kind ON nextgen_events (kind, happened_at)
