//go:build tools

// Package backends names the program that is built from this module's pinned versions.
package backends

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
