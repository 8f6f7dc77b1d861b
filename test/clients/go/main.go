// A client on github.com/coder/websocket that goes on sending until it sees the end. See ../still-sending.ts.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

type result struct {
	Opened bool   `json:"opened"`
	Code   int    `json:"code"`
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

func main() {
	url, kind := os.Args[1], os.Args[2]
	size, _ := strconv.Atoi(os.Args[3])
	everyMs, _ := strconv.Atoi(os.Args[4])
	line, _ := json.Marshal(run(url, kind, size, time.Duration(everyMs)*time.Millisecond))
	fmt.Println(string(line))
}

func run(url, kind string, size int, every time.Duration) result {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return result{Error: err.Error()}
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := socket.Read(ctx); err != nil {
				ended <- err
				return
			}
		}
	}()
	payload := make([]byte, size)
	for {
		// What a send says is not looked at: only the reader tells how it ended.
		if kind == "ping" {
			go socket.Ping(ctx) // it waits for a pong, and nobody answers
		} else {
			_ = socket.Write(ctx, websocket.MessageBinary, payload)
		}
		select {
		case err := <-ended:
			return resultOf(err)
		case <-time.After(every):
		}
	}
}

func resultOf(err error) result {
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return result{Opened: true, Code: int(closed.Code), Reason: closed.Reason}
	}
	return result{Opened: true, Code: 1006, Error: err.Error()}
}
