"""docs/openapi.json: what the code says, valid, and what a site serves."""

import json

from frappe.utils import strip_html
from openapi_spec_validator import OpenAPIV31SpecValidator

from loyalty_app.api import arguments, schema, v1
from loyalty_app.tests import generated
from loyalty_app.tests.rest import RestClient
from loyalty_app.tests.utils import IntegrationTestCase, make_user


class TestOpenAPI(IntegrationTestCase):
	def test_generated_files_are_up_to_date(self):
		for path, text in generated.files().items():
			with self.subTest(path.name):
				self.assertEqual(
					path.read_text(), text, "run: sandbox/bench execute loyalty_app.tests.generated.write"
				)

	def test_it_is_valid(self):
		document = schema.document(v1.ENDPOINTS)
		self.assertEqual([error.message for error in OpenAPIV31SpecValidator(document).iter_errors()], [])
		broken = json.loads(json.dumps(document))
		del broken["info"]["title"]
		self.assertTrue(list(OpenAPIV31SpecValidator(broken).iter_errors()))

	def test_a_site_serves_it(self):
		status, served = RestClient(make_user("Sales User")).request(
			"GET", "/api/method/loyalty_app.api.v1.openapi"
		)
		self.assertEqual((status, served), (200, schema.document(v1.ENDPOINTS)))
		self.assertEqual(RestClient(None).request("GET", "/api/method/loyalty_app.api.v1.openapi")[0], 403)

	def test_every_method_and_argument_is_explained(self):
		for name, endpoint in v1.ENDPOINTS.items():
			for argument, parameter in arguments.parameters_of(endpoint.function).items():
				with self.subTest(method=name, argument=argument):
					described = schema.schema_of(parameter.kind, {}, is_argument=True)["description"]
					self.assertEqual(described, strip_html(described))
		self.assertEqual(
			list(v1.ENDPOINTS),
			["membership", "quote", "redeem_quote", "statement", "enrol", "adjust", "programs"],
		)
