"""Makes the files of `collector-config/grafana/`: dashboards, alert rules, what provisions them. `make dashboards`."""
