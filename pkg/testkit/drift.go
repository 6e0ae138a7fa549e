package testkit

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm/schema"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// column is what information_schema knows of a column.
type column struct {
	TableName  string
	ColumnName string
	UdtName    string
	IsNullable string
}

// SameAsCatalogue fails the test where rows, pointers to gorm structs, differ from the migrated tables they stand for, in
// either direction: columns, types, and what may be NULL. own names, as table.column, what only Postgres uses.
func SameAsCatalogue(t *testing.T, db *postgres.DB, own []string, rows ...any) {
	t.Helper()
	var cache sync.Map
	for _, row := range rows {
		s, err := schema.Parse(row, &cache, schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		var columns []column
		err = db.Read(t.Context()).Table("information_schema.columns").
			Where("table_schema = current_schema() AND table_name = ?", s.Table).Find(&columns).Error
		if err != nil {
			t.Fatal(err)
		}
		stored := map[string]column{}
		for _, c := range columns {
			stored[c.ColumnName] = c
		}
		if len(stored) == 0 {
			t.Errorf("%T stands for the table %s, which there is not", row, s.Table)
			continue
		}
		for _, f := range s.Fields {
			c, ok := stored[f.DBName]
			delete(stored, f.DBName)
			if !ok {
				t.Errorf("%s has no column %s, which %s of %T stands for", s.Table, f.DBName, f.Name, row)
				continue
			}
			nullable := f.FieldType.Kind() == reflect.Pointer
			if nullable != (c.IsNullable == "YES") {
				t.Errorf("%s.%s: NULL is allowed: %s; the field %s is a pointer: %t", s.Table, f.DBName, c.IsNullable, f.Name, nullable)
			}
			if fits := udtNames(f.FieldType); !slices.Contains(fits, c.UdtName) {
				t.Errorf("%s.%s is %s; the field %s is %s, which stands for %v", s.Table, f.DBName, c.UdtName, f.Name, f.FieldType, fits)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(stored)) {
			if full := s.Table + "." + name; !slices.Contains(own, full) {
				t.Errorf("%T has no field for the column %s", row, full)
			}
		}
	}
}

// udtNames are the Postgres types a Go type may stand for.
func udtNames(t reflect.Type) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return []string{"timestamptz", "timestamp", "date"}
	case reflect.TypeFor[postgres.Texts]():
		return []string{"_text", "_uuid"}
	case reflect.TypeFor[postgres.Ints]():
		return []string{"_int4"}
	case reflect.TypeFor[postgres.Times]():
		return []string{"_timestamptz"}
	case reflect.TypeFor[[]byte]():
		return []string{"bytea"}
	}
	switch t.Kind() { //nolint:exhaustive // the others stand for no column
	case reflect.String:
		return []string{"text", "uuid", "json"}
	case reflect.Int:
		return []string{"int4"}
	case reflect.Int16:
		return []string{"int2"}
	case reflect.Int64:
		return []string{"int8"}
	case reflect.Bool:
		return []string{"bool"}
	}
	return []string{fmt.Sprintf("nothing known for %s", t)}
}
