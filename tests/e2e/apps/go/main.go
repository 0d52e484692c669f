// A relying party and an API with go-oidc and golang.org/x/oauth2: the sign-in, the ID token, userinfo,
// a refresh, and an access token checked as an API checks it.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func random() string {
	bytes := make([]byte, 24)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	listen := os.Getenv("LISTEN")
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  "http://" + listen + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}
	idTokens := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	// The audience of an access token is the API.
	accessTokens := provider.Verifier(&oidc.Config{
		ClientID:             os.Getenv("API"),
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256},
	})

	http.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		state, nonce, verifier := random(), random(), oauth2.GenerateVerifier()
		for name, value := range map[string]string{"state": state, "nonce": nonce, "verifier": verifier} {
			http.SetCookie(w, &http.Cookie{
				Name: "go_" + name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
			})
		}
		url := config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
		http.Redirect(w, r, url, http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		kept := func(name string) string {
			cookie, err := r.Cookie("go_" + name)
			if err != nil {
				return ""
			}
			return cookie.Value
		}
		refuse := func(err error) { http.Error(w, err.Error(), http.StatusBadRequest) }
		if state := kept("state"); state == "" || r.URL.Query().Get("state") != state {
			http.Error(w, "state", http.StatusBadRequest)
			return
		}
		code := r.URL.Query().Get("code")
		token, err := config.Exchange(ctx, code, oauth2.VerifierOption(kept("verifier")))
		if err != nil {
			refuse(err)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := idTokens.Verify(ctx, raw)
		if err != nil || idToken.Nonce != kept("nonce") {
			http.Error(w, "id_token", http.StatusBadRequest)
			return
		}
		userinfo, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			refuse(err)
			return
		}
		access, err := accessTokens.Verify(ctx, token.AccessToken)
		if err != nil {
			refuse(err)
			return
		}
		var profile struct {
			Name string `json:"name"`
		}
		if err := userinfo.Claims(&profile); err != nil {
			refuse(err)
			return
		}
		expired := *token
		expired.Expiry = time.Now().Add(-time.Hour)
		refreshed, err := config.TokenSource(ctx, &expired).Token()
		if err != nil {
			refuse(err)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"iss":            idToken.Issuer,
			"sub":            idToken.Subject,
			"userinfo_sub":   userinfo.Subject,
			"access_sub":     access.Subject,
			"name":           profile.Name,
			"email":          userinfo.Email,
			"email_verified": userinfo.EmailVerified,
			"refreshed":      refreshed.AccessToken != token.AccessToken,
			"rotated":        refreshed.RefreshToken != token.RefreshToken,
		})
	})
	log.Fatal(http.ListenAndServe(listen, nil))
}
