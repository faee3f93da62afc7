CREATE INDEX nextgen_clients_by_age ON nextgen_clients (created_at)
