package daprd

import (
	"github.com/dapr/components-contrib/nameresolution/kubernetes"
	"github.com/dapr/components-contrib/nameresolution/mdns"
	pubsubinmemory "github.com/dapr/components-contrib/pubsub/in-memory"
	"github.com/dapr/components-contrib/pubsub/kafka"
	secretkubernetes "github.com/dapr/components-contrib/secretstores/kubernetes"
	"github.com/dapr/components-contrib/secretstores/local/env"
	"github.com/dapr/components-contrib/secretstores/local/file"
	stateinmemory "github.com/dapr/components-contrib/state/in-memory"
	"github.com/dapr/components-contrib/state/postgresql/v2"
	"github.com/dapr/dapr/pkg/components"
	"github.com/dapr/dapr/pkg/components/bindings"
	"github.com/dapr/dapr/pkg/components/configuration"
	"github.com/dapr/dapr/pkg/components/conversation"
	"github.com/dapr/dapr/pkg/components/crypto"
	"github.com/dapr/dapr/pkg/components/lock"
	"github.com/dapr/dapr/pkg/components/middleware/http"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	"github.com/dapr/dapr/pkg/components/pubsub"
	"github.com/dapr/dapr/pkg/components/secretstores"
	"github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/kit/logger"
)

// registries holds what this sidecar can be configured with. A component YAML
// that names anything else is refused when the sidecar starts.
type registries struct {
	pubsubs     *pubsub.Registry
	states      *state.Registry
	secrets     *secretstores.Registry
	resolutions *nameresolution.Registry
}

// newRegistries registers every component TaskFlow uses and no other.
func newRegistries(log logger.Logger) registries {
	r := registries{
		pubsubs:     pubsub.NewRegistry(),
		states:      state.NewRegistry(),
		secrets:     secretstores.NewRegistry(),
		resolutions: nameresolution.NewRegistry(),
	}
	r.pubsubs.Logger = log
	r.states.Logger = log
	r.secrets.Logger = log
	r.resolutions.Logger = log

	r.pubsubs.RegisterComponent(kafka.NewKafka, "kafka")
	r.pubsubs.RegisterComponent(pubsubinmemory.New, "in-memory")

	// Upstream answers a missing version with v1, whose rows v2 cannot read. Here
	// v1 does not exist, so both a missing version and "v2" mean v2 and "v1" is refused.
	r.states.RegisterComponentWithVersions("postgresql", components.Versioning{
		Preferred: components.VersionConstructor{Version: "v2", Constructor: postgresql.NewPostgreSQLStateStore},
		Default:   "v2",
	})
	r.states.RegisterComponent(stateinmemory.NewInMemoryStateStore, "in-memory")

	r.secrets.RegisterComponent(env.NewEnvSecretStore, "local.env")
	r.secrets.RegisterComponent(file.NewLocalSecretStore, "local.file")
	r.secrets.RegisterComponent(secretkubernetes.NewKubernetesSecretStore, "kubernetes")

	r.resolutions.RegisterComponent(mdns.NewResolver, "mdns")
	r.resolutions.RegisterComponent(kubernetes.NewResolver, "kubernetes")
	return r
}

// options hands the registries to the runtime. The runtime dereferences every
// kind it knows, so the kinds that TaskFlow does not use are present and empty.
func (r registries) options() *registry.Options {
	return registry.NewOptions().
		WithPubSubs(r.pubsubs).
		WithStateStores(r.states).
		WithSecretStores(r.secrets).
		WithNameResolutions(r.resolutions).
		WithBindings(bindings.NewRegistry()).
		WithConfigurations(configuration.NewRegistry()).
		WithConversations(conversation.NewRegistry()).
		WithCryptoProviders(crypto.NewRegistry()).
		WithHTTPMiddlewares(http.NewRegistry()).
		WithLocks(lock.NewRegistry())
}
