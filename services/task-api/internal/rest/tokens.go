package rest

import (
	"context"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/taskflow-suite/taskflow/pkg/auth"
)

// Tokens keeps the API tokens of users. tokenstore.Store is one.
type Tokens interface {
	// List returns a user's tokens that have not expired, the newest first.
	List(ctx context.Context, userID string) ([]auth.APIToken, error)
	// Add keeps a new token. errs.Conflict if the user has as many as may be.
	Add(ctx context.Context, t auth.APIToken) error
	// Revoke ends a token. errs.NotFound if the user has none with that id.
	Revoke(ctx context.Context, userID, id string) error
}

const (
	defaultTokenDays = 90
	noStore          = "no-store"
)

// ListTokens answers with the user's tokens, which are few.
func (s *Server) ListTokens(ctx context.Context, r ListTokensRequestObject) (ListTokensResponseObject, error) {
	tokens, err := s.tokens.List(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	list := ListTokens200JSONResponse{Items: make([]APIToken, len(tokens))}
	for i, t := range tokens {
		list.Items[i] = shown(t)
	}
	return list, nil
}

// CreateToken makes a token and shows it.
func (s *Server) CreateToken(ctx context.Context, r CreateTokenRequestObject) (CreateTokenResponseObject, error) {
	scope, _ := auth.ParseScope(or(r.Body.Scope, auth.Read.String())) // what it does not know is refused with the rest
	token, secret, err := auth.NewAPIToken(r.UserID, r.Body.Name, scope, or(r.Body.ExpiresInDays, defaultTokenDays), s.now())
	if err != nil {
		return nil, err
	}
	if err := s.tokens.Add(ctx, token); err != nil {
		return nil, err
	}
	t, header := shown(token), noStore
	return CreateToken201JSONResponse{
		Body: CreatedAPIToken{
			ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt,
			Token: secret.Reveal(),
		},
		Headers: CreateToken201ResponseHeaders{CacheControl: &header},
	}, nil
}

// RevokeToken ends a token, here at once.
func (s *Server) RevokeToken(ctx context.Context, r RevokeTokenRequestObject) (RevokeTokenResponseObject, error) {
	if err := s.tokens.Revoke(ctx, r.UserID, canonical(r.TokenID)); err != nil {
		return nil, err
	}
	s.forgetTokens(r.UserID)
	return RevokeToken204Response{}, nil
}

// shown is a token as a list shows it.
func shown(t auth.APIToken) APIToken {
	last := nullable.NewNullNullable[time.Time]()
	if !t.LastUsedAt.IsZero() {
		last = nullable.NewNullableWithValue(t.LastUsedAt)
	}
	return APIToken{ID: t.ID, Name: t.Name, Scope: t.Scope.String(), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: last}
}
