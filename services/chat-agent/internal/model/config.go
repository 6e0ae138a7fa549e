package model

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

// Config says which model is asked and how patiently. Embed it in a service's settings.
type Config struct {
	Key         config.Secret `env:"OPENAI_API_KEY" secret:"true" doc:"key of the model's API; not set for an endpoint that needs none"`
	BaseURL     *url.URL      `env:"OPENAI_BASE_URL" default:"https://api.openai.com/v1" doc:"where the model's API is: any endpoint with Chat Completions"`
	Model       string        `env:"OPENAI_MODEL" default:"gpt-6-luna" doc:"model that is asked for; taskflow-offline is known to be no language model"`
	Silence     time.Duration `env:"OPENAI_TRY_TIMEOUT" default:"30s" doc:"how long one try may go without a sign of life: the whole answer, or each piece of it when it streams"`
	Timeout     time.Duration `env:"OPENAI_TIMEOUT" default:"60s" doc:"how long one question may take with all its tries"`
	Retries     int           `env:"OPENAI_RETRIES" default:"2" doc:"further tries when the model is busy, failing, unreachable or talks nonsense"`
	MaxTokens   int           `env:"OPENAI_MAX_TOKENS" default:"4000" doc:"tokens of one answer at most, reasoning included"`
	Failures    int           `env:"OPENAI_CIRCUIT_FAILURES" default:"5" doc:"tries that fail one after the other until the model counts as down and is not asked any more"`
	Pause       time.Duration `env:"OPENAI_CIRCUIT_PAUSE" default:"15s" doc:"how long a model that is down is left alone before one question tries it again"`
	InputPrice  float64       `env:"OPENAI_PRICE_INPUT" default:"0" doc:"price of a million input tokens, in any currency, for the metric taskflow_model_cost_total; 0 if unknown"`
	OutputPrice float64       `env:"OPENAI_PRICE_OUTPUT" default:"0" doc:"price of a million output tokens, in the same currency; 0 if unknown"`
	RetryAfter  time.Duration `env:"OPENAI_MAX_RETRY_AFTER" default:"10s" doc:"longest pause a busy model may ask for (Retry-After) and have granted; beyond it the question fails at once"`
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	var wrong []error
	if c.BaseURL != nil && c.BaseURL.Scheme != "http" && c.BaseURL.Scheme != "https" {
		wrong = append(wrong, errors.New("OPENAI_BASE_URL is not http or https"))
	}
	if c.Silence <= 0 || c.Timeout < c.Silence {
		wrong = append(wrong, fmt.Errorf("OPENAI_TRY_TIMEOUT is %v and OPENAI_TIMEOUT %v: expected 0 < try timeout ≤ timeout", c.Silence, c.Timeout))
	}
	if c.Retries < 0 || c.Retries > 10 {
		wrong = append(wrong, fmt.Errorf("OPENAI_RETRIES is %d: expected 0 to 10", c.Retries))
	}
	if c.MaxTokens < 1 {
		wrong = append(wrong, fmt.Errorf("OPENAI_MAX_TOKENS is %d: expected at least 1", c.MaxTokens))
	}
	if c.Failures < 1 || c.Failures > 1000 {
		wrong = append(wrong, fmt.Errorf("OPENAI_CIRCUIT_FAILURES is %d: expected 1 to 1000", c.Failures))
	}
	if c.Pause <= 0 {
		wrong = append(wrong, errors.New("OPENAI_CIRCUIT_PAUSE is 0: expected a duration above 0"))
	}
	return errors.Join(wrong...)
}
