Programs get tokens by themselves: `client_credentials` for a client of the configuration that has a secret or a key, for the account and the scope that stand beside it.
`contrib/` has rules for Prometheus and a dashboard for Grafana.
