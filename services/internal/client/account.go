package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Web is the page's server, where people get an account.
type Web struct {
	// URL is its base URL, such as http://localhost:8080.
	URL string
	// Origin is the address people use, which the server knows as its own (PUBLIC_URL). It may be another than URL.
	Origin string
	HTTP   *http.Client
}

// Account is somebody who is signed in.
type Account struct {
	UserID string
	// Token is for the services.
	Token string

	web      Web
	password string
	cookies  map[string]string
}

// tokenCookie is the cookie with the token of the services; over https its name may have a prefix.
const tokenCookie = "taskflow_token"

// SignUp makes an account and signs in. *Status for an answer that is not 2xx. There is no account after an error, unless
// the answer was lost.
func (w Web) SignUp(ctx context.Context, name, email, password string) (*Account, error) {
	a := &Account{web: w, password: password, cookies: map[string]string{}}
	var made struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	in := map[string]string{"name": name, "email": email, "password": password}
	if err := a.post(ctx, "/sign-up/email", in, &made); err != nil {
		return nil, err
	}
	for name, value := range a.cookies {
		if strings.TrimPrefix(strings.TrimPrefix(name, "__Secure-"), "__Host-") == tokenCookie {
			a.Token = value
		}
	}
	if a.UserID = made.User.ID; a.UserID == "" || a.Token == "" {
		return nil, errors.Join(errors.New("the answer to the sign-up has no user or no token"), a.Remove(ctx))
	}
	return a, nil
}

// CheckPassword asks whether the account's password is right, as the page does before it deletes anything.
func (a *Account) CheckPassword(ctx context.Context) error {
	return a.post(ctx, "/check-password", map[string]string{"password": a.password}, nil)
}

// Remove deletes the account, and only that: what the services know of the person is task-api's to forget, before.
func (a *Account) Remove(ctx context.Context) error {
	return a.post(ctx, "/delete-user", map[string]string{"password": a.password}, nil)
}

// post asks the server's accounts, with the cookies it gave. It keeps them itself: a jar would not send a cookie that is
// for https to an address inside a cluster.
func (a *Account) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.web.URL+"/api/auth"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", a.web.Origin)
	// What the origin's proxy says. Without an address the limits of the sign-up would count nobody.
	if origin, err := url.Parse(a.web.Origin); err == nil {
		req.Header.Set("X-Forwarded-Host", origin.Host)
		req.Header.Set("X-Forwarded-Proto", origin.Scheme)
		req.Header.Set("X-Forwarded-For", "127.0.0.1")
	}
	for name, value := range a.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := a.web.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return &Status{res.StatusCode, string(raw)}
	}
	for _, c := range res.Cookies() {
		a.cookies[c.Name] = c.Value
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("the answer is not what was expected: %w", err)
	}
	return nil
}
