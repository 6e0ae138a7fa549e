// Package conformance runs the public MCP conformance suite (npm @modelcontextprotocol/conformance) against mcp-tools as
// it runs in production, once for each revision of the protocol that the suite has requirements for.
//
// It has tests only. What mcp-tools does not do stands in baseline/, each entry with its reason: a scenario that fails
// and is not listed fails the test, and so does one that is listed and passes. The suite cannot send tokens, so a proxy
// before mcp-tools adds one; everything else goes through as it came.
package conformance
