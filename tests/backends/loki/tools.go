//go:build tools

// Package backends names the program that is built from this module's pinned versions.
package backends

import _ "github.com/grafana/loki/v3/cmd/loki"
