Programs get tokens by themselves: `client_credentials` for a client of the configuration that has a secret or a key, for the account and the scope that stand beside it.
`contrib/` has rules for Prometheus and a dashboard for Grafana.
`synapse-nextgen-auth doctor` looks at a running server from outside and inside: configuration, processes, address and certificate, discovery, the proxy, pages, mail, providers; and signs in once. Each finding says what to change.
