"""The site under test over REST, as Administrator: making what a browser test needs, looking at what came of it."""

import datetime
import json
import secrets

PRICE_LIST = "Standard Selling"


class Site:
	"""A site with ERPNext and loyalty_app, real or stand-in. `request` is Playwright's APIRequestContext."""

	def __init__(self, request, user: str = "Administrator", password: str = "admin"):
		self.request = request
		self.ask("POST", "/api/method/login", data={"usr": user, "pwd": password})

	def ask(self, method: str, path: str, **options) -> dict:
		"""Return the answer to a request; raise with the site's own message when it refuses."""
		response = self.request.fetch(path, method=method, **options)
		assert response.ok, f"{method} {path}: {response.status} {response.text()[:2000]}"
		return response.json()

	def names(self, doctype: str, limit: int = 1, **filters) -> list[str]:
		"""Return names of documents with these field values."""
		wanted = [[field, "=", value] for field, value in filters.items()]
		params = {"filters": json.dumps(wanted), "limit_page_length": limit}
		return [row["name"] for row in self.ask("GET", f"/api/resource/{doctype}", params=params)["data"]]

	def rows(self, doctype: str, fields: list[str], **filters) -> list[dict]:
		"""Return fields of the documents with these field values."""
		wanted = [[field, "=", value] for field, value in filters.items()]
		params = {"filters": json.dumps(wanted), "fields": json.dumps(fields), "limit_page_length": 100}
		return self.ask("GET", f"/api/resource/{doctype}", params=params)["data"]

	def get(self, doctype: str, name: str) -> dict:
		return self.ask("GET", f"/api/resource/{doctype}/{name}")["data"]

	def insert(self, doctype: str, **values) -> dict:
		return self.ask("POST", f"/api/resource/{doctype}", data=values)["data"]

	def ensure(self, doctype: str, find: dict, **values) -> str:
		"""Return a document with the values in `find`, inserted with `values` too if there is none."""
		found = self.names(doctype, **find)
		return found[0] if found else self.insert(doctype, **find, **values)["name"]


class Shop:
	"""A company to sell in, and a customer with points to come; names with a tail that no other run has."""

	def __init__(self, site: Site):
		self.site = site
		self.tail = secrets.token_hex(4)
		companies = site.names("Company")
		self.company = companies[0] if companies else self._company()
		details = site.get("Company", self.company)
		self.currency, self.cost_center = details["default_currency"], details["cost_center"]
		self._prepare()
		self.program = self._program()
		# names that HTML would swallow, were they put into a page as it
		self.customer = self.member(f'Browser & "Sons" {self.tail}')
		self.item = site.insert(
			"Item",
			item_code=f"Browser Item {self.tail}",
			item_group=self._leaf("Item Group"),
			stock_uom="Nos",
			is_stock_item=0,
		)["name"]

	def member(self, customer_name: str) -> str:
		"""Insert a customer who is in the program; return the name."""
		return self.site.insert(
			"Customer",
			customer_name=customer_name,
			customer_type="Individual",
			customer_group=self._leaf("Customer Group"),
			territory=self._leaf("Territory"),
			loyalty_program=self.program,
		)["name"]

	def user(self, *roles: str, language: str = "en") -> tuple[str, str]:
		"""Insert a desk user with these roles and this language; return name and password."""
		password = f"Points-{secrets.token_urlsafe(16)}"
		user = self.site.insert(
			"User",
			email=f"browser-{secrets.token_hex(4)}@loyalty.example",
			first_name="Browser",
			send_welcome_email=0,
			new_password=password,
			language=language,
			roles=[{"role": role} for role in roles],
		)
		return user["name"], password

	def sell(self, rate: float, days_ago: int = 0, redeem: int = 0) -> str:
		"""Submit an invoice of so many days ago, of this year at the earliest; return its name."""
		today = datetime.date.today()
		day = max(today - datetime.timedelta(days=days_ago), today.replace(month=1, day=1)).isoformat()
		return self.site.insert(
			"Sales Invoice",
			customer=self.customer,
			company=self.company,
			currency=self.currency,
			set_posting_time=1,
			posting_date=day,
			due_date=day,
			selling_price_list=PRICE_LIST,
			items=[{"item_code": self.item, "qty": 1, "rate": rate}],
			redeem_loyalty_points=int(bool(redeem)),
			loyalty_points=redeem,
			docstatus=1,
		)["name"]

	def _company(self) -> str:
		country = self.site.ensure("Country", {"country_name": "United States"}, code="us")
		return self.site.insert(
			"Company",
			company_name="Loyalty Browser Co",
			abbr="LBC",
			default_currency="USD",
			country=country,
			chart_of_accounts="Standard",
			create_chart_of_accounts_based_on="Standard Template",
		)["name"]

	def _prepare(self) -> None:
		self.site.ensure("UOM", {"uom_name": "Nos"})
		self.site.ensure(
			"Price List", {"price_list_name": PRICE_LIST}, selling=1, enabled=1, currency=self.currency
		)
		today = datetime.date.today()
		years = self.site.rows("Fiscal Year", ["year_start_date", "year_end_date"])
		if not any(y["year_start_date"] <= today.isoformat() <= y["year_end_date"] for y in years):
			first, last = today.replace(month=1, day=1), today.replace(month=12, day=31)
			self.site.insert(
				"Fiscal Year",
				year=str(today.year),
				year_start_date=first.isoformat(),
				year_end_date=last.isoformat(),
			)

	def _leaf(self, doctype: str) -> str:
		"""A node of a tree that documents can belong to."""
		found = self.site.names(doctype, is_group=0)
		if found:
			return found[0]
		scrubbed = doctype.lower().replace(" ", "_")
		root = self.site.names(doctype, is_group=1)
		return self.site.insert(
			doctype,
			**{f"{scrubbed}_name": f"Browser {doctype}", f"parent_{scrubbed}": root[0] if root else None},
			is_group=0,
		)["name"]

	def _program(self) -> str:
		expenses = self.site.names("Account", company=self.company, root_type="Expense", is_group=0)
		return self.site.insert(
			"Loyalty Program",
			loyalty_program_name=f"Browser Program {self.tail}",
			loyalty_program_type="Multiple Tier Program",
			company=self.company,
			from_date="2020-01-01",
			# whatever taxes the company charges by default
			earn_on="Net Total",
			collection_rules=[
				{"tier_name": "Silver", "min_spent": 0, "collection_factor": 10},
				{"tier_name": "Gold <u>Plus</u>", "min_spent": 6000, "collection_factor": 5},
			],
			conversion_factor=0.5,
			expiry_duration=365,
			expense_account=expenses[0],
			cost_center=self.cost_center,
		)["name"]
