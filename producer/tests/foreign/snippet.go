// Shows the delivery on standard input to the Go snippet, which lies beside it; prints `ok` or `refused`.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

func main() {
	var delivery struct {
		SecretKey string `json:"secret_key"`
		Headers   map[string]string
		Body      string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&delivery); err != nil {
		panic(err)
	}
	headers := http.Header{}
	for name, value := range delivery.Headers {
		headers.Set(name, value)
	}
	if VerifyWebhook(delivery.SecretKey, headers, []byte(delivery.Body)) {
		fmt.Println("ok")
	} else {
		fmt.Println("refused")
	}
}
