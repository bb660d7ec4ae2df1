// FerretDB as a library: MongoDB's protocol on SQLite or PostgreSQL.
//
//	ferretdb 127.0.0.1:PORT FOLDER          keeps its documents in SQLite files of that folder
//	ferretdb 127.0.0.1:PORT postgres://…    keeps them in that PostgreSQL database
package main

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	address, store := os.Args[1], os.Args[2]
	config := &ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: address},
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if strings.HasPrefix(store, "postgres://") {
		config.Handler, config.PostgreSQLURL = "postgresql", store
	} else {
		config.Handler, config.SQLiteURL = "sqlite", "file:"+store+"/"
	}
	server, err := ferretdb.New(config)
	if err == nil {
		err = server.Run(context.Background())
	}
	if err != nil {
		slog.Error("FerretDB", "why", err)
		os.Exit(1)
	}
}
