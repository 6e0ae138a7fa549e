package model

// Circuit is the state of the circuit that spares a model that is down: "closed" while the model is asked, "open" while it
// is left alone, "half-open" while one question tries it.
func (c *Client) Circuit() string { return c.circuit.State().String() }
