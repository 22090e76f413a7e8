// Reads dashboards as strictly as Grafana's own library does, and prints what is no dashboard of its schema.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	status := 0
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		read := dashboard.Dashboard{}
		// Of no mistakes it returns an error without a word.
		err = read.UnmarshalJSONStrict(text)
		if err == nil || err.Error() == "" {
			err = read.Validate()
		}
		if err != nil && err.Error() != "" {
			fmt.Printf("%s: %s\n", path, err)
			status = 1
		}
	}
	os.Exit(status)
}
