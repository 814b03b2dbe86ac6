-- A user for the engine who may do what a run does and no more, and the schemas that it writes to.
-- An administrator runs this once, after replacing the names that differ: database dev, user surgical_cdc, schemas.
-- Running it again changes nothing but CREATE USER, which says that the user exists.

-- Without a password: it logs in by IAM. For a password: ALTER USER surgical_cdc PASSWORD '...'.
CREATE USER surgical_cdc PASSWORD DISABLE;

-- An update works in temporary tables.
GRANT TEMPORARY ON DATABASE dev TO surgical_cdc;

-- It makes tables in three schemas, and owns these tables alone: change sets, what it keeps between runs, and facts. The
-- schemas stay the administrator's, since the owner of a schema may drop whatever others have put there.
CREATE SCHEMA IF NOT EXISTS cdc;
CREATE SCHEMA IF NOT EXISTS cdc_scratch;
CREATE SCHEMA IF NOT EXISTS staging_public;
GRANT USAGE, CREATE ON SCHEMA cdc TO surgical_cdc;
GRANT USAGE, CREATE ON SCHEMA cdc_scratch TO surgical_cdc;
GRANT USAGE, CREATE ON SCHEMA staging_public TO surgical_cdc;

-- It reads what the ETL stages, also tables that the ETL makes anew. These belong to the user of the ETL, who either
-- runs the last statement or is named in it: ALTER DEFAULT PRIVILEGES FOR USER etl IN SCHEMA ...
GRANT USAGE ON SCHEMA staging TO surgical_cdc;
GRANT SELECT ON ALL TABLES IN SCHEMA staging TO surgical_cdc;
ALTER DEFAULT PRIVILEGES IN SCHEMA staging GRANT SELECT ON TABLES TO surgical_cdc;

-- It replaces rows of the baselines, and of no other table beside them.
GRANT USAGE ON SCHEMA public TO surgical_cdc;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  public.companies,
  public.buyer_seller_company_mappings,
  public.users,
  public.teams,
  public.team_members,
  public.cities,
  public.countries,
  public.product_categories,
  public.user_company_mappings,
  public.taggings,
  public.tags,
  public.preferred_vendor_item_mappings
TO surgical_cdc;
